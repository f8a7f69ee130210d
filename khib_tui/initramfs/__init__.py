"""What B and C boot from, built in A."""
