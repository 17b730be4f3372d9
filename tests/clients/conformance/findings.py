"""What a run has shown of each operation."""

from conformance import model


class Findings:
    """Everything that was shown, and everything that there is to show."""

    def __init__(self, *services):
        self._operations = {}
        for service, operations, not_enforced in services:
            for operation in operations:
                self._operations[operation] = Operation(service, operation, not_enforced)

    def of(self, operation):
        return self._operations[operation]

    def __contains__(self, operation):
        return operation in self._operations

    def __iter__(self):
        return iter(self._operations.values())

    def were_all_tried(self):
        return all(operation.tried == set(operation.constraints) for operation in self)


class Operation:
    """What was shown of one operation."""

    def __init__(self, service, name, not_enforced):
        operation = service.operation_model(name)
        self.name, self.is_public = name, operation.auth_type == "none"
        self.output_members = list(operation.output_shape.members) if operation.output_shape else []
        self.modelled_errors = {error.error_code for error in operation.error_shapes}
        self.constraints = [c for c in model.constraints(service, name) if c.steps[0] not in not_enforced]
        self.tried, self.proven, self.errors = set(), set(), set()
        self.has_succeeded, self.seen_members = False, set()

    def succeeded(self, said):
        self.has_succeeded = True
        self.seen_members |= (said or {}).keys()

    @property
    def missing(self):
        """What no test has shown yet."""
        missing = [str(constraint) for constraint in self.constraints if constraint not in self.proven]
        return missing if self.has_succeeded else [f"{self.name} was never seen to succeed", *missing]

    def share(self, *, required):
        """How many of its constraints are proven: those that ask for presence, or all the others."""
        these = [constraint for constraint in self.constraints if (constraint.kind == "required") == required]
        return sum(constraint in self.proven for constraint in these), len(these)
