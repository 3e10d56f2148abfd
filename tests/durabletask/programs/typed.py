import json

import types_of_file
import with_durabletask


def main():
    orchestrators, activities = {"takes_order": types_of_file.takes_order}, {"price": types_of_file.price}
    print(json.dumps(with_durabletask.play(orchestrators, activities, [("takes_order", "a")], value={"number": 5})["a"]))


if __name__ == "__main__":
    main()
