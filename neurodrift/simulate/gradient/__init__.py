"""Networks that learn one task by gradient descent: tasks, networks, rules, engine."""
