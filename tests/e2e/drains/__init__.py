"""Drains as their users have them: on the real control plane, with the real operator, nodes and pods played by kwok."""
