"""The shape of the loss around a network: Hessian, timescales, flatness, landscapes, Laplace."""
