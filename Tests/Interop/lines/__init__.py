"""A meeting over bad lines, and what is heard and seen of it: `make lines`, docs/bad-lines.md."""
