"""The demo: the main job told live in a terminal, on a local control plane, with the wall as shipped."""
