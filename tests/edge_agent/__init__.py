"""Of the agent."""
