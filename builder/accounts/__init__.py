"""Who you are and what you may do: people, workspaces, memberships, invitations, tokens, and `can(...)`."""
