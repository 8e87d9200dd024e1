"""What tests share: small models, scripted servers, configurations. `from tests.helpers import tiny`; no test imports a test."""
