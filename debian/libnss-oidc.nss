passwd last oidc
group last oidc
