"""Figures. One module per figure; each prints one JSON object on its last line."""
