"""Takes over other registries, and hands ours to them."""
