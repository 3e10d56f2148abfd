"""A module of the workflow's own that keeps settings of an installed library."""
import helper_installed

CFG = helper_installed.Settings()
ONE = 1


def settings():
    return CFG
