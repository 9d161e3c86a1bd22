"""The application of the conformance suites: what specs call, as somebody or as nobody.

Specs name it `bookshop`: the suites' folder is their project's.
"""
