"""What would let a gate decide: before the first call, and after a hold."""
