"""Laws: what holds in every world."""
