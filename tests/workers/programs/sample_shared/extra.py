from sample_shared import Base as BASE
