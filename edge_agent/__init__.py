"""The agent on a vehicle's or a station's device: reads its world, keeps what it saw, and tells the cloud."""
