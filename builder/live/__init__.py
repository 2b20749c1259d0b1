"""Live status: committed changes, pushed to the browsers that may see them."""
