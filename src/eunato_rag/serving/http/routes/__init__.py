"""The routes, by what they are about. Each module has a function `router`, which is given what its routes use."""
