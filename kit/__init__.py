"""The device kit: what `hardware/` says of each device, checked, and what is generated from it.

pinmap.toml → pinmap.py (shape) → check.py (every clash, naming both users) → overlay.py, sections.py, wiring.py (texts)
→ render.py, the only shell: writes `generated/` beside each pin map.
"""
