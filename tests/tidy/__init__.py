"""Style as tests that fail the build. Each rule is itself proven on a sample that breaks it."""
