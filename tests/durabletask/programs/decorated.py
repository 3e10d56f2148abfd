"""decorated.py azure|dapr: the decorated orchestrators of azure_app.py and dapr_app.py."""
import json
import os
import sys

import drive

NAMES = ["counts", "reads_clock"]


def azure():
    import azure_app
    import with_azure

    handles = {f.get_function_name(): f.get_user_function() for f in azure_app.app.get_functions()}
    with with_azure.ThreadPoolExecutor(1) as pool:
        return {name: with_azure.run(handles[name], name, name, {"add": drive.add}, pool) for name in NAMES}, azure_app.seen


def dapr():
    os.environ["DAPR_GRPC_PORT"] = port = str(drive.free_port())
    import dapr_app
    import with_dapr

    sidecar = with_dapr.Sidecar(port)
    dapr_app.runtime.start()
    try:
        client = with_dapr.wf.DaprWorkflowClient()
        return with_dapr.ask(client, vars(dapr_app), [(name, name) for name in NAMES]), dapr_app.seen
    finally:
        dapr_app.runtime.shutdown()
        sidecar.stop()


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()))
