"""Pods and Jobs that wait until somebody accepts the price, on a real control plane."""
