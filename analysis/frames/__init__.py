"""What every study reads, and what every study is."""
