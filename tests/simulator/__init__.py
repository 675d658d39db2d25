"""The made-up county, and the gpsd and panels that real agents meet in it."""
