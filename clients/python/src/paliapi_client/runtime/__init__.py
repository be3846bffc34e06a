"""The two ways to carry out a flow: blocking, and with asyncio."""
