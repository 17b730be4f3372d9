"""What the suites in Python share: a Daypass of their own (`server`), people who log in to it (`login`), and AWS's
unmodified clients (`aws`).

A suite is a folder beside this one, with a `pytest.ini` that puts this folder's parent on the path, a `conftest.py` and
a `requirements.txt`. It takes its fixtures by `pytest_plugins = ["support.fixtures"]`. What only one suite needs stays
there, and no suite imports from another.
"""
