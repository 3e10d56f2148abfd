def activities(ctx, text):
    for _ in range(20):
        text = yield ctx.call_activity("print_line", input=text)
    return text
