"""Station automation: from an order to sounders, lights, a cooker that is off and a door that is open. Pure."""
