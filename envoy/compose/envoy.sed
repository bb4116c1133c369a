# What ../demo.yaml says in containers: other names, other folders.
s/{address: 127.0.0.1, port_value: 10000}/{address: 0.0.0.0, port_value: 10000}/
s/{address: 127.0.0.1, port_value: 10004}/{address: 0.0.0.0, port_value: 10004}/
s/{address: 127.0.0.1, port_value: 10002}/{address: duo-sim, port_value: 10002}/
s/{address: 127.0.0.1, port_value: 10003}/{address: app, port_value: 10003}/
s/type: STATIC/type: STRICT_DNS/
s#filename: dist/duo_mfa.wasm#filename: /etc/envoy/duo_mfa.wasm#
s#filename: duo-sim-ca.pem#filename: /state/duo-sim/ca.pem#
s/ *# run.py$//
s#examples/demo/run.py puts.*#envoy/compose/envoy.sed put its names in.#
