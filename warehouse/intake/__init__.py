"""What people bring: checked whole, then kept or refused."""
