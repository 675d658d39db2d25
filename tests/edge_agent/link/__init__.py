"""Tests of the device's link, against real brokers and a cloud that is played word by word."""
