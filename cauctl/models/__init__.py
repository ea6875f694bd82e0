"""What the world is made of: frozen attrs classes with Microsoft's names."""
