"""What is handed out: wheel and sdist, the plugin for krew, the image's build, and the program that comes of them."""
