"""What people draw: workflows and their drafts. What runs is the runtime's."""
