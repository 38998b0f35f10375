"""Execution: cases measured by one asyncio loop in a thread of its own."""
