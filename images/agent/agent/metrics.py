"""What /metrics shows, besides the process's own figures."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("agent_requests_total", "Requests answered", ["route", "status"])
SECONDS = Histogram("agent_request_seconds", "Time until a request was answered whole, streams included", ["route"])
IN_FLIGHT = Gauge("agent_requests_in_flight", "Requests and streams being answered now")
CACHE = Counter("agent_cache_total", "Look-ups of replies in Redis", ["outcome"])
CACHE_UP = Gauge("agent_cache_up", "1 while Redis answers, 0 while answers go on without it")
MODEL_ERRORS = Counter("agent_model_errors_total", "Prompts that the model gave no answer to")
TOKENS = Counter("agent_model_tokens_total", "Tokens as the model's endpoint counts them", ["model", "kind"])
COST = Counter("agent_model_cost_total", "Their cost, by the prices and in the currency of the settings", ["model"])
REFUSED = Counter("agent_refused_total", "Requests refused for their token, or because they came too often", ["cause"])
DRAINING = Gauge("agent_draining", "1 after SIGTERM, while running requests finish")
