import logging


class Writing(logging.Handler):
    def emit(self, record):
        with open("/dev/null", "a") as file:
            file.write(record.getMessage())
