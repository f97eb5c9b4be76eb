"""What pods take, and what that costs."""
