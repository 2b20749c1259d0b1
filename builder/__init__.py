"""The product: who you are, what you draw, what you see. Enters the runtime by its front door."""
