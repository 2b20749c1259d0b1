"""A backup of the whole installation in one folder, and putting one back: `manage.py backup`, `manage.py restore`."""
