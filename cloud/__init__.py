"""The cloud side: takes in what devices say, keeps it, and shows what stands."""
