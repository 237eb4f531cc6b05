export { FrameReader, type FrameSink } from '../protocol/frames.ts'
