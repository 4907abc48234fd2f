"""Bones and soft tissue of the limbs, drawn in millimetres from published adult averages."""
