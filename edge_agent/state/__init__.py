"""What the device makes of what it reads: presses, reports, delivery, lamps. Pure; time is an argument."""
