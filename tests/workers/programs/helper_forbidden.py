NAME = "forbidden"
