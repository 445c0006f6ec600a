import NIOCore
print("tidegate")
