"""Somebody else's backpropagation: what it is told, what it may say of itself, what it must answer, and how it is called.

It uses handgrad alone, and judges nothing; `mistakes`, `checking` and `autograd.modules` use it.
"""
