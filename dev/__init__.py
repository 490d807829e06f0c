"""The developer's tools: the test runner, servers, judges, a browser, generators."""
