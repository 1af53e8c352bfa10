"""What the services need of the outside world, in our words: one small Protocol per thing."""
