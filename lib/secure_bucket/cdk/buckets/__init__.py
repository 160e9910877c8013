"""Define the bucket constructs, and the mixin and the property injector that add the deny."""
