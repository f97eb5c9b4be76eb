"""The docs held against what they speak of: every YAML is applied, every page is in the site, every named test exists."""
